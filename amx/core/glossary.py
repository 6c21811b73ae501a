"""Abbreviations that database names are made of, and what they stand for.

Only what is common enough to be read without knowing the house that made the names. Where an
abbreviation has several readings, all are given, and words beside it may decide.
"""

from collections.abc import Mapping
from typing import NamedTuple

PLAIN = {
    "acct": "account", "actv": "active", "addl": "additional", "addr": "address",
    "adj": "adjustment", "agmt": "agreement", "alt": "alternative", "amt": "amount",
    "appl": "application", "appr": "approval", "approx": "approximate", "arch": "archive",
    "attr": "attribute", "auth": "authorization", "avail": "available", "avg": "average", "bal": "balance",
    "bgn": "begin", "bldg": "building", "blk": "block", "brnch": "branch",     "calc": "calculated", "cat": "category", "catg": "category", "cd": "code", "chg": "charge",
    "chk": "check", "chng": "change", "cls": "class", "cmnt": "comment", "cnt": "count",
    "cntct": "contact", "cntr": "center", "cntry": "country",     "config": "configuration", "cre": "created", "crt": "created",
    "ctry": "country", "cty": "city", "curr": "currency", "cust": "customer",
    "cxl": "cancelled", "dbt": "debit", "del": "deleted", "deliv": "delivery",
    "dept": "department", "desc": "description", "descr": "description", "dest": "destination",
    "dflt": "default", "dim": "dimension", "dlvr": "delivery",
    "dlvry": "delivery", "dob": "date of birth", "doc": "document", "dsc": "description",
    "dsgn": "designation", "dt": "date", "dtl": "detail", "dtm": "date and time",
    "dur": "duration", "eff": "effective", "eml": "email", "emp": "employee", "empl": "employee",
    "equip": "equipment", "err": "error",     "ext": "extension", "fct": "fact", "flg": "flag", "fname": "first name", "fnm": "first name",
    "freq": "frequency", "frm": "from", "fst": "first", "gend": "gender", "grp": "group",
    "hdr": "header", "hist": "history", "hr": "hour", "hrs": "hours", "img": "image",
    "ind": "indicator", "info": "information", "init": "initial",     "instr": "instruction", "invc": "invoice", "itm": "item", "lang": "language",
    "lim": "limit", "lkp": "lookup", "lname": "last name", "lnm": "last name", "loc": "location",
    "lst": "last", "lvl": "level", "max": "maximum", "mbr": "member", "mdl": "model",
    "measr": "measure", "mfg": "manufacturing", "mfr": "manufacturer", "mgr": "manager",
    "mgmt": "management", "min": "minimum", "misc": "miscellaneous",
    "mkt": "market", "mod": "modified", "msg": "message", "mst": "master", "mstr": "master",
    "mthd": "method", "mtrl": "material", "nbr": "number", "nm": "name", "no": "number",
    "num": "number", "obj": "object", "opt": "option", "ord": "order", "org": "organization",
    "orig": "original", "parm": "parameter", "pct": "percent", "pcnt": "percent",
    "perc": "percent", "ph": "phone", "phn": "phone", "pkg": "package",     "pmt": "payment", "pos": "position", "prc": "price", "prd": "product", "prdct": "product",
    "prev": "previous", "proc": "process", "prnt": "parent", "prod": "product", "proj": "project",
    "promo": "promotion", "prty": "priority", "purch": "purchase", "pwd": "password",
    "pymt": "payment", "qty": "quantity", "rcpt": "receipt", "rcv": "received",
    "rcvd": "received", "recv": "received", "ref": "reference",
    "rel": "related", "reqd": "required", "resp": "response",
    "rgn": "region", "rnk": "rank", "rpt": "report", "rsn": "reason", "rtn": "return",
    "rtrn": "return", "sched": "schedule", "seq": "sequence", "shp": "shipment",
    "shpmt": "shipment", "slsmn": "salesman", "smry": "summary", "splr": "supplier",
    "src": "source", "srt": "sort", "srvc": "service", "stat": "status", "stk": "stock",
    "stmt": "statement", "strt": "start", "sts": "status", "subj": "subject",
    "supp": "supplier", "svc": "service", "sys": "system", "tel": "telephone",
    "tm": "time", "tmp": "temporary", "tmst": "timestamp",
    "tot": "total", "trx": "transaction", "ts": "timestamp", "txn": "transaction",
    "txt": "text", "typ": "type", "uom": "unit of measure", "upd": "updated", "usr": "user",
    "val": "value", "veh": "vehicle", "ver": "version", "vndr": "vendor", "vol": "volume",
    "wgt": "weight", "whs": "warehouse", "whse": "warehouse", "wk": "week", "wrk": "work",
    "wt": "weight", "xref": "cross reference", "yr": "year",
}  # fmt: skip
"""Abbreviation to its one reading."""

ANY_OF = {
    "comm": {
        "comment": frozenset({"text", "author"}),
        "commission": frozenset({"amount", "percent", "rate", "salesman"}),
    },
    "cr": {
        "created": frozenset({"by", "date", "time", "timestamp", "user"}),
        "credit": frozenset({"balance", "card", "debit", "limit", "memo"}),
    },
    "cur": {
        "currency": frozenset({"code", "exchange", "rate"}),
        "current": frozenset({"balance", "flag", "status", "version"}),
    },
    "disc": {
        "discontinued": frozenset({"flag", "indicator"}),
        "discount": frozenset({"amount", "percent", "price", "rate"}),
    },
    "est": {
        "established": frozenset({"company", "year"}),
        "estimated": frozenset({"amount", "arrival", "cost", "hours", "quantity", "time"}),
    },
    "exp": {
        "expense": frozenset({"account", "amount", "report"}),
        "expiry": frozenset({"card", "month", "valid", "year"}),
    },
    "ins": {
        "inserted": frozenset({"by", "date", "time", "timestamp", "user"}),
        "insurance": frozenset({"claim", "policy", "premium"}),
    },
    "inv": {
        "inventory": frozenset({"bin", "location", "stock", "transaction", "warehouse"}),
        "invoice": frozenset({"bill", "billing", "date", "due", "number", "paid", "tax"}),
    },
    "ln": {
        "line": frozenset({"address", "order", "invoice", "item", "header", "detail", "quantity"}),
        "loan": frozenset({"interest", "borrower", "principal", "lender"}),
    },
    "rec": {
        "received": frozenset({"date", "by"}),
        "record": frozenset({"id", "type"}),
    },
    "reg": {
        "region": frozenset({"country", "territory"}),
        "registration": frozenset({"plate", "vehicle"}),
    },
    "req": {
        "request": frozenset({"response", "requested", "requester"}),
        "required": frozenset({"flag", "date", "indicator"}),
    },
    "rt": {
        "rate": frozenset({"exchange", "currency", "tax", "interest"}),
        "route": frozenset({"vehicle", "stop", "driver"}),
    },
    "sal": {
        "salary": frozenset({"employee", "pay", "payroll"}),
        "sales": frozenset({"order", "region", "representative"}),
    },
    "st": {
        "state": frozenset({"city", "zip", "country", "postal"}),
        "street": frozenset({"house"}),
        "status": frozenset({"code"}),
    },
    "temp": {
        "temperature": frozenset({"celsius", "humidity", "sensor", "weather"}),
        "temporary": frozenset({"flag", "table"}),
    },
}
"""Abbreviation to its readings, each with the words beside it that speak for it."""

WORDS = frozenset(
    " ".join(
        (*PLAIN.values(), *(word for readings in ANY_OF.values() for word in readings))
    ).split()
) | {"invoice", "supplier", "vendor", "unit", "ship", "due", "tax", "birth", "hire", "zip"}
"""Words that may stand glued to another in a name without a separator."""

SYNONYMS = (
    ("bill", "invoice"),
    ("client", "customer"),
    ("company", "organization"),
    ("cost", "price"),
    ("email", "mail"),
    ("employee", "staff", "worker"),
    ("film", "movie"),
    ("phone", "telephone"),
    ("postal", "postcode", "zip"),
    ("salary", "wage"),
    ("song", "track"),
    ("supplier", "vendor"),
)
"""Words that are asked for one another; each line is a group of equals."""


class Glossary(NamedTuple):
    """What abbreviations stand for, and which words mean the same."""

    plain: Mapping[str, str]
    any_of: Mapping[str, Mapping[str, frozenset[str]]]
    synonyms: Mapping[str, frozenset[str]]
    words: frozenset[str]
    of_team: frozenset[str] = frozenset()
    """Abbreviations that the team's own file explains: they are never taken for words."""

    def knows(self, word: str) -> bool:
        """Tell whether this is a word or an abbreviation that names are made of."""
        return word in self.plain or word in self.any_of or word in self.words


def equals(groups: "tuple[tuple[str, ...], ...]") -> Mapping[str, frozenset[str]]:
    """Return the other words of each word's groups."""
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        for word in group:
            found[word] = found.get(word, frozenset()) | (frozenset(group) - {word})
    return found


BUILT_IN = Glossary(PLAIN, ANY_OF, equals(SYNONYMS), WORDS)
"""What is known without a team's own file."""

SHOWN_AS = {
    "api": "API", "crm": "CRM", "ean": "EAN", "erp": "ERP", "fk": "FK", "gps": "GPS",
    "html": "HTML", "http": "HTTP", "iban": "IBAN", "id": "ID", "ip": "IP", "isbn": "ISBN",
    "iso": "ISO", "json": "JSON", "mac": "MAC", "pk": "PK", "sku": "SKU", "sql": "SQL",
    "ssn": "SSN", "upc": "UPC", "uri": "URI", "url": "URL", "usd": "USD", "utc": "UTC",
    "uuid": "UUID", "vat": "VAT", "vin": "VIN", "xml": "XML",
}  # fmt: skip
"""Words that are written in capitals."""

SECRET = frozenset({
    "authentication", "bearer", "credential", "cvc", "cvv", "dob", "email", "eml",
    "fingerprint", "hash", "iban", "login", "nonce", "otp", "passcode", "passphrase",
    "passport", "passwd", "password", "phone", "pin", "pwd", "salt", "secret", "session",
    "signature", "ssn", "telephone", "token", "username",
})  # fmt: skip
"""Words in a name that say its values are secret, or who somebody is, whatever else it says."""

PERSONAL = frozenset({
    "address", "bio", "birth", "birthday", "body", "comment", "ethnicity", "fax", "firstname",
    "fullname", "gender", "income", "ip", "ipaddress", "lastname", "latitude", "license",
    "longitude", "mail", "maiden", "message", "mobile", "note", "notes", "postal", "postcode",
    "religion", "remark", "remarks", "salary", "street", "surname", "zip", "zipcode",
})  # fmt: skip
"""Words that say the same, or free text that may hold either, unless a number stands for it."""

KEYED = frozenset({"access", "api", "encryption", "license", "private", "secret", "signing"})
"""Words that make a key a secret one."""

PEOPLE = frozenset({
    "applicant", "author", "borrower", "buyer", "child", "client", "contact", "customer",
    "doctor", "driver", "employee", "guest", "member", "parent", "patient", "payee", "person",
    "player", "recipient", "sender", "student", "subscriber", "teacher", "tenant",
    "traveller", "user", "visitor", "worker",
})  # fmt: skip
"""Words for people: what they are called is personal."""
