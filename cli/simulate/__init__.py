"""A fleet that is played: N devices calling the HTTP interface exactly as the Edge API would, and a ledger of it."""
