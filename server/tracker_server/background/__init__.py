"""What runs beside the requests: maintenance of the database, emptying the trash."""
