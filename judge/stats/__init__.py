"""Statistics of scores, judges and labels: values in, values out; knows no run, no store and no prompt."""
