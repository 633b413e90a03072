"""The form: a draft as controls, drawn from what the chosen model's family allows."""
