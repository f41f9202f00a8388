"""A teacher runs a live class: who is in it, what each does just now, and what the teacher does to all of them."""
