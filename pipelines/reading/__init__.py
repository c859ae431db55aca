"""Files to blocks of records. A format is a module here."""
