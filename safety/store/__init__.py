"""The encrypted store: tables, engines, migrations, sealed rows and the checks that prove them."""
