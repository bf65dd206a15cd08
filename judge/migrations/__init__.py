"""Numbered steps from one shape of the store to the next, run by Alembic when a store is opened."""
