"""A policy in the languages of other engines, with an input in which each of them answers as the gate does.

`plan` says what an export holds, `document` turns a situation of the gate into its input, `schema` describes that
input, and `cedar` and `rego` write the policy.
"""
