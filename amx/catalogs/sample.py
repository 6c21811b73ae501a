"""Builds the sample database of the demo: a small shop with the names of an old system."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random

_SEED = 1998

_SCHEMA = """
CREATE TABLE STAT_REF (
    stat_cd   CHAR(2) NOT NULL PRIMARY KEY,
    stat_desc VARCHAR(40) NOT NULL
);
CREATE TABLE EMP_MST (
    emp_no   INTEGER PRIMARY KEY,
    emp_nm   VARCHAR(60) NOT NULL,
    dept_cd  CHAR(3) NOT NULL,
    mgr_no   INTEGER REFERENCES EMP_MST (emp_no),
    hire_dt  DATE NOT NULL
);
CREATE TABLE CUST_MST (
    cust_no  INTEGER PRIMARY KEY,
    cust_nm  VARCHAR(60) NOT NULL,
    eml_addr VARCHAR(80) UNIQUE,
    cr_lim   NUMERIC(9,2) NOT NULL DEFAULT 0,
    actv_flg CHAR(1) NOT NULL DEFAULT 'Y',
    rep_no   INTEGER REFERENCES EMP_MST (emp_no),
    cre_dt   DATE NOT NULL,
    upd_usr  VARCHAR(8)
);
CREATE TABLE CUST_ADDR (
    cust_no   INTEGER NOT NULL REFERENCES CUST_MST (cust_no),
    addr_seq  INTEGER NOT NULL,
    addr_typ  CHAR(1) NOT NULL,
    addr_ln1  VARCHAR(80) NOT NULL,
    cty_nm    VARCHAR(40) NOT NULL,
    ctry_cd   CHAR(2) NOT NULL,
    zip_cd    VARCHAR(10),
    PRIMARY KEY (cust_no, addr_seq)
);
CREATE TABLE PRD_CAT (
    cat_cd   CHAR(4) NOT NULL PRIMARY KEY,
    cat_desc VARCHAR(40) NOT NULL,
    prnt_cd  CHAR(4) REFERENCES PRD_CAT (cat_cd)
);
CREATE TABLE SUPP_MST (
    supp_no  INTEGER PRIMARY KEY,
    supp_nm  VARCHAR(60) NOT NULL,
    ctry_cd  CHAR(2) NOT NULL,
    lead_tm  INTEGER
);
CREATE TABLE PRD_MST (
    prd_no    INTEGER PRIMARY KEY,
    prd_desc  VARCHAR(60) NOT NULL,
    cat_cd    CHAR(4) NOT NULL REFERENCES PRD_CAT (cat_cd),
    supp_no   INTEGER NOT NULL REFERENCES SUPP_MST (supp_no),
    unit_prc  NUMERIC(9,2) NOT NULL,
    uom_cd    CHAR(3) NOT NULL,
    wt_kg     NUMERIC(7,3),
    disc_dt   DATE
);
CREATE TABLE WHSE_MST (
    whse_cd  CHAR(3) NOT NULL PRIMARY KEY,
    whse_nm  VARCHAR(40) NOT NULL,
    ctry_cd  CHAR(2) NOT NULL
);
CREATE TABLE INV_TXN (
    txn_id   INTEGER PRIMARY KEY,
    whse_cd  CHAR(3) NOT NULL REFERENCES WHSE_MST (whse_cd),
    prd_no   INTEGER NOT NULL REFERENCES PRD_MST (prd_no),
    txn_typ  CHAR(3) NOT NULL,
    txn_qty  INTEGER NOT NULL,
    txn_dt   DATE NOT NULL,
    upd_usr  VARCHAR(8)
);
CREATE TABLE ORD_HDR (
    ord_no   INTEGER PRIMARY KEY,
    cust_no  INTEGER NOT NULL REFERENCES CUST_MST (cust_no),
    ord_dt   DATE NOT NULL,
    shp_dt   DATE,
    stat_cd  CHAR(2) NOT NULL REFERENCES STAT_REF (stat_cd),
    tot_amt  NUMERIC(11,2) NOT NULL,
    curr_cd  CHAR(3) NOT NULL DEFAULT 'EUR',
    upd_usr  VARCHAR(8)
);
CREATE TABLE ORD_LN (
    ord_no   INTEGER NOT NULL REFERENCES ORD_HDR (ord_no),
    ln_no    INTEGER NOT NULL,
    prd_no   INTEGER NOT NULL REFERENCES PRD_MST (prd_no),
    ord_qty  INTEGER NOT NULL,
    unit_prc NUMERIC(9,2) NOT NULL,
    disc_pct NUMERIC(5,2),
    ln_amt   NUMERIC(11,2) NOT NULL,
    PRIMARY KEY (ord_no, ln_no)
);
CREATE TABLE PMT_TXN (
    pmt_id   INTEGER PRIMARY KEY,
    ord_no   INTEGER NOT NULL REFERENCES ORD_HDR (ord_no),
    pmt_dt   DATE NOT NULL,
    pmt_amt  NUMERIC(11,2) NOT NULL,
    mthd_cd  CHAR(2) NOT NULL,
    ref_no   VARCHAR(20)
);
CREATE VIEW V_ORD_SMRY AS
SELECT h.ord_no, c.cust_nm, h.ord_dt, s.stat_desc, count(*) AS ln_cnt, h.tot_amt
FROM ORD_HDR h
JOIN CUST_MST c ON c.cust_no = h.cust_no
JOIN STAT_REF s ON s.stat_cd = h.stat_cd
JOIN ORD_LN l ON l.ord_no = h.ord_no
GROUP BY h.ord_no;
CREATE VIEW V_STK_BAL AS
SELECT t.whse_cd, t.prd_no, p.prd_desc, sum(t.txn_qty) AS stk_qty, max(t.txn_dt) AS lst_txn_dt
FROM INV_TXN t
JOIN PRD_MST p ON p.prd_no = t.prd_no
GROUP BY t.whse_cd, t.prd_no;
"""

_STATUSES = (("NW", "New"), ("PD", "Paid"), ("SH", "Shipped"), ("CX", "Cancelled"))
_CATEGORIES = (
    ("HOME", "Home", None), ("KITC", "Kitchen", "HOME"), ("LAMP", "Lamps", "HOME"),
    ("OFFC", "Office", None), ("PAPR", "Paper", "OFFC"), ("DESK", "Desks", "OFFC"),
    ("TOYS", "Toys", None), ("PUZZ", "Puzzles", "TOYS"),
)  # fmt: skip
_WAREHOUSES = (("NTH", "North depot", "SE"), ("STH", "South depot", "IT"), ("WST", "Quay", "IE"))
_COUNTRIES = ("AT", "DE", "ES", "FR", "IE", "IT", "PT", "SE")
_CLERKS = ("BATCH", "JRM", "LKO", "SYS", None)
_EPOCH = date(2016, 1, 4)

_CUSTOMERS, _SUPPLIERS, _PRODUCTS, _EMPLOYEES, _ORDERS, _MOVES = 400, 30, 240, 24, 1_200, 1_800

_Row = tuple[str | int | float | None, ...]


def build_shop(path: Path) -> None:
    """Build the sample shop: 12 tables, 2 views, more than 8,000 rows, the same each time.

    Raises:
        FileExistsError: there is a file at this path; it is not touched.
    """
    path.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_SCHEMA)
        for table, rows in _contents(Random(_SEED)):  # noqa: S311 - rows of a sample, no secrets
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _contents(random: Random) -> Iterator[tuple[str, list[_Row]]]:
    yield "STAT_REF", list(_STATUSES)
    yield "EMP_MST", [_employee(number, random) for number in range(1, _EMPLOYEES + 1)]
    yield "CUST_MST", [_customer(number, random) for number in range(10_001, 10_001 + _CUSTOMERS)]
    yield "CUST_ADDR", _addresses(random)
    yield "PRD_CAT", list(_CATEGORIES)
    yield "SUPP_MST", [_supplier(number, random) for number in range(1, _SUPPLIERS + 1)]
    products = [_product(number, random) for number in range(501, 501 + _PRODUCTS)]
    yield "PRD_MST", products
    yield "WHSE_MST", list(_WAREHOUSES)
    yield "INV_TXN", [_move(number, random) for number in range(1, _MOVES + 1)]
    orders, lines, payments = _orders(random, {int(str(one[0])): one[4] for one in products})
    yield "ORD_HDR", orders
    yield "ORD_LN", lines
    yield "PMT_TXN", payments


def _day(random: Random) -> str:
    return (_EPOCH + timedelta(days=random.randrange(2_800))).isoformat()


def _later(day: str, random: Random) -> str:
    return (date.fromisoformat(day) + timedelta(days=random.randrange(1, 30))).isoformat()


def _is_rare(random: Random, percent: int) -> bool:
    return random.randrange(100) < percent


def _employee(number: int, random: Random) -> _Row:
    department = random.choice(("FIN", "LOG", "SAL"))
    return number, f"Employee {number}", department, number // 5 or None, _day(random)


def _customer(number: int, random: Random) -> _Row:
    mail = f"c{number}@shop.example" if not _is_rare(random, 10) else None
    limit = random.choice((0, 500, 1_000, 2_500, 10_000))
    active = "N" if _is_rare(random, 8) else "Y"
    rep = random.choice((None, *range(1, _EMPLOYEES + 1)))
    return (
        *(number, f"Customer {number}", mail, limit, active, rep),
        *(_day(random), random.choice(_CLERKS)),
    )


def _addresses(random: Random) -> list[_Row]:
    return [
        (
            *(number, place, "BS"[place - 1], f"{random.randrange(1, 200)} Mill Lane"),
            *(f"Town {random.randrange(60)}", random.choice(_COUNTRIES)),
            f"{random.randrange(10_000, 99_999)}" if not _is_rare(random, 5) else None,
        )
        for number in range(10_001, 10_001 + _CUSTOMERS)
        for place in range(1, random.choice((1, 1, 2)) + 1)
    ]


def _supplier(number: int, random: Random) -> _Row:
    lead = random.choice((None, 3, 5, 10, 21))
    return number, f"Supplier {number}", random.choice(_COUNTRIES), lead


def _product(number: int, random: Random) -> _Row:
    category = random.choice(_CATEGORIES)
    return (
        *(number, f"{category[1]} article {number}", category[0]),
        *(random.randrange(1, _SUPPLIERS + 1), random.randrange(99, 29_999) / 100),
        *(random.choice(("EA", "BOX", "SET")), random.randrange(50, 20_000) / 1_000),
        _day(random) if _is_rare(random, 10) else None,
    )


def _move(number: int, random: Random) -> _Row:
    kind, least, most = random.choice((("RCV", 10, 200), ("ISS", -40, 0), ("ADJ", -5, 6)))
    return (
        *(number, random.choice(_WAREHOUSES)[0], random.randrange(501, 501 + _PRODUCTS)),
        *(kind, random.randrange(least, most), _day(random), random.choice(_CLERKS)),
    )


def _orders(
    random: Random, prices: dict[int, str | int | float | None]
) -> tuple[list[_Row], list[_Row], list[_Row]]:
    orders: list[_Row] = []
    lines: list[_Row] = []
    payments: list[_Row] = []
    for number in range(700_001, 700_001 + _ORDERS):
        total = 0.0
        for place, product in enumerate(random.sample(list(prices), random.randrange(1, 6)), 1):
            quantity, discount = random.randrange(1, 12), random.choice((None, None, 5, 10))
            price = float(prices[product] or 0)
            amount = round(quantity * price * (1 - (discount or 0) / 100), 2)
            total = round(total + amount, 2)
            lines.append((number, place, product, quantity, price, discount, amount))
        status, day = random.choice(_STATUSES)[0], _day(random)
        shipped = _later(day, random) if status == "SH" else None
        customer = random.randrange(10_001, 10_001 + _CUSTOMERS)
        clerk = random.choice(_CLERKS)
        orders.append((number, customer, day, shipped, status, total, "EUR", clerk))
        if status in {"PD", "SH"}:
            reference = f"R{random.randrange(10**8):08}" if not _is_rare(random, 20) else None
            method = random.choice(("CC", "BT", "CS"))
            paid = _later(day, random)
            payments.append((len(payments) + 1, number, paid, total, method, reference))
    return orders, lines, payments
