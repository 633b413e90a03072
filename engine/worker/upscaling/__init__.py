"""Networks that make pictures larger, in tiles. Their architectures are spandrel's."""
