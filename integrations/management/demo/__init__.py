"""The demo: stand-ins on loopback, a cast of connections and people, live traffic or a finite story. Used by commands only."""
