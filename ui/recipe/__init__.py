"""A recipe as a person reads it, beside the form's."""
