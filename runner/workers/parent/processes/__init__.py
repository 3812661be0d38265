"""The processes of workers: started, spoken to, watched, replaced."""
