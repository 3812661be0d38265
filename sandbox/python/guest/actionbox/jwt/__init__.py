"""JSON Web Tokens, spelled as the package PyJWT spells them. Asymmetric keys are used on the host."""
