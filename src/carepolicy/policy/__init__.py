"""Policy files: read with the place of every value, checked in shape, turned into a frozen model."""
