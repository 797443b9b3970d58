"""The ledger of promises (承诺): each with a time, none forgotten."""
