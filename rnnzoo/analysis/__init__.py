"""Study members and trained networks: tables, pictures, changes of coordinates, convergence reports."""
