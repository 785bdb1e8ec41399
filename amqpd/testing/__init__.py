"""Tools for tests: a broker to run (`harness`), and a client that says exactly what it is told to (`client`)."""
