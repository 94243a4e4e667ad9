"""Tools that the gateway runs: found by name, arguments checked, called over HTTP, with bounds on everything."""
