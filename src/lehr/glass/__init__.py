"""The glass study: structural relaxation by the Tool-Narayanaswamy-Moynihan (TNM) model, seen in DSC heating scans."""
