"""What is in a data set, before anything is computed: a page for people, JSON for programs."""
