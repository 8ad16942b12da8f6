"""Django's admin for operators: sessions and their runs to see and steer, content to edit, everything else to read.

Importing this registers nothing: `pages` does, once the site stands (`coaching.apps.OperatorsAdminConfig`).
"""
