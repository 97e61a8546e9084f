"""The studio's side: what a publisher sends, and the feedback that keeps it sending well."""
