"""Names of what Laterna writes into its files, the same in PNG text chunks and in MP4 metadata."""

RECIPE = "laterna.recipe"
DERIVATION = "laterna.derivation"
ENVIRONMENT = "laterna.environment"
PIXELS_SHA256 = "laterna.pixels_sha256"
COMMENT = "comment"
