"""What the site is made of: pinned versions, newer ones, known vulnerabilities, bills of material."""
