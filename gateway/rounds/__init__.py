"""The game rounds of a table: their states, why one is aborted, and the record of them. Pure, but for `ledger`."""
