"""Where work runs: on this machine. Another engine gives the same function over other machines."""
