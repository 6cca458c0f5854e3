"""Speed and error of parts of the software beside named peers, measured in one run."""
