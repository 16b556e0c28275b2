"""How the fixed programs are written: steps by the session's number."""


def connect(session, flags=0, database="{db}", collation=46, account=0):
    return (session, ("connect", flags, database, collation, account))


def query(session, *texts):
    return [(session, ("query", text)) for text in texts]


def command(session, number, argument=""):
    return (session, ("command", number, argument))
