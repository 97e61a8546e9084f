"""Append-only records that can be checked: JSON lines, each with the hash of the one before (docs/ledger.md)."""
