"""Alembic runs this to migrate: the connection is handed over by judge.store, never opened here."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
