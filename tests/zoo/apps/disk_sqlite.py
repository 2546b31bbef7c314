"""SQLite beside the application."""

import sqlite3

from _serve import serve, text


def respond(path):
    with sqlite3.connect("shop.db") as db:
        db.execute("create table if not exists hits (at)")
        db.execute("insert into hits values (1)")
    return text("ok")


serve(respond)
