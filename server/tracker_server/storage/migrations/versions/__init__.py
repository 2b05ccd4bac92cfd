"""The migrations, a module for each version of the schema from 2 on."""
