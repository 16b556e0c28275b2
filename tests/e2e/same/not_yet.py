"""What the generator leaves out, by the name of a kind, and why; and what a session may be pinned for.

A program may pin only for the reasons that its statements have here: those of docs/session-state.md.
"""

# Kinds of statements that are known to differ. Each has a reason, and goes when the reason goes.
NOT_YET = {}

PINS = {
    "transaction": {"transaction"},
    # On a backend that is kept, a computed sql_mode or character set is not read back, and texts that depend on it pin.
    "computed session variable": {"session_variable", "unknown_statement", "prepared_text"},
    "list that fails": {"session_variable", "user_variable", "unknown_statement", "prepared_text"},
    "computed user variable": {"user_variable"},
    "one-shot transaction": {"one_shot_transaction"},
    "read of the past": {"stale_read", "one_shot_transaction", "transaction"},
    "role": {"role"},
    "prepared text": {"prepared_text"},
    "temporary table": {"temporary_table"},
    "lock": {"lock"},
    "table lock": {"table_lock"},
    "binding": {"session_binding"},
    "sequence": {"sequence"},
    "hypothetical index": {"hypothetical_index"},
    "cursor": {"cursor"},
    "long data": {"long_data"},
    "file": {"local_infile"},
    "unknown statement": {"unknown_statement"},
}


def pins(name):
    return frozenset(PINS[name])
