"""Policy files edited: their canonical layout, and faults that can be mended without asking anybody."""
