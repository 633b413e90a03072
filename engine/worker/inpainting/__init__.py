"""Making a part of a picture anew: what is cut out of it, what is held to it at each step, and what is put back."""
