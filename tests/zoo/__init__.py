"""Applications with one defect each, and healthy ones: how good is `local check`?"""
