"""Lake floor: zones and tables, streams into them, ETL jobs, quality gates and feature groups."""
