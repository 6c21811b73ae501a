"""Questions that go on from earlier turns, of their own session and of no other."""

from pathlib import Path

import pytest

from tests.asking.conftest import Ask, add, change, cited
from tests.support import Amx

pytestmark = pytest.mark.usefixtures("music")


def test_a_word_for_what_came_before_is_the_table_that_was_cited(ask: Ask) -> None:
    ask("customer email")

    answer = ask("and their cities?")
    assert cited(answer)[:2] == ["Customer", "Customer.City"]
    assert answer["earlier"] == [{"schema": "main", "table": "Customer", "column": None}]
    assert "Taken up from before: main.Customer." in answer["answer"].splitlines()

    assert cited(ask("which of them is unique?")) == [
        *("Customer", "Customer.CustomerId", "Customer.Email")
    ]


def test_what_about_asks_the_same_of_another_table(ask: Ask) -> None:
    ask("which columns of customers are unique?")
    answer = ask("what about invoices?")

    assert cited(answer) == ["Invoice", "Invoice.InvoiceId"]
    assert "Taken up from before: “which columns of customers are unique?”" in answer["answer"]

    ask("in which city do customers live?")
    assert cited(ask("and employees?"))[:2] == ["Employee", "Employee.City"]


def test_what_a_table_has_not_is_looked_for_beside_it(ask: Ask) -> None:
    ask("customers")
    answer = ask("and their totals?")

    assert cited(answer) == ["Invoice", "Invoice.Total", "Invoice.CustomerId"]
    assert answer["answer"].splitlines()[-1] == (
        "main.Invoice hangs together with main.Customer: "
        "main.Invoice.CustomerId → main.Customer.CustomerId."
    )


def test_what_is_nowhere_beside_it_is_said_to_be_elsewhere(ask: Ask) -> None:
    ask("employees")
    answer = ask("and their prices?")

    assert cited(answer)[0] in {"Track", "InvoiceLine"}
    assert "Nothing in or beside main.Employee matches prices." in answer["answer"].splitlines()


def test_keys_lead_from_what_came_before(ask: Ask) -> None:
    ask("invoices")
    assert cited(ask("how do they join artists?"))[:2] == ["Invoice", "Artist"]


def test_a_new_session_remembers_nothing_of_another(ask: Ask) -> None:
    ask("customer email")
    within = ask("which of them is unique?")

    apart = ask("which of them is unique?", "--new")
    assert cited(within)[0] == "Customer"
    assert (apart["citations"], apart["earlier"]) == ([], [])
    assert apart["answer"] == "I do not know: no earlier turn of this session tells what 'them' is."
    assert apart["session"] != within["session"]


def test_one_question_has_another_answer_in_a_session_of_another_profile(
    amx: Amx, ask: Ask, tmp_path: Path
) -> None:
    other = tmp_path / "zoo.db"
    change(other, "CREATE TABLE Animal (AnimalId INTEGER PRIMARY KEY, Chip TEXT UNIQUE);")
    ask("customer email")
    of_music = ask("which of them is unique?")

    add(amx, "zoo", other)
    at_first = ask("which of them is unique?")
    ask("animals")
    of_zoo = ask("which of them is unique?")

    assert cited(of_music)[0] == "Customer"
    assert at_first["citations"] == []
    assert cited(of_zoo) == ["Animal", "Animal.AnimalId", "Animal.Chip"]
    refused = amx("ask", "and their cities?", "--session", str(of_music["session"]), "--json")
    assert (refused.code, refused.error["code"]) == (3, "refused.profile_mismatch")


def test_a_table_that_is_gone_is_not_spoken_of(ask: Ask, music: Path) -> None:
    ask("employees")
    change(music, "ALTER TABLE Employee RENAME TO Clerk")

    answer = ask("which of them is unique?")
    assert answer["citations"] == []
    assert "What this session was about is no longer in the catalog." in answer["answer"]
