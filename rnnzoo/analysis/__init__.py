"""What members are and what training made of them: tables, pictures, reports."""
