"""Who may say what: credentials, files to join with, rights, signatures."""
