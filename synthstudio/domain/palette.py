"""Class colours that people with any common colour vision can tell apart.

Source: Okabe and Ito 2008, "Color Universal Design", without black and with its yellow darkened for use on
bright fields; then Paul Tol's "muted" scheme for more than seven classes.
"""

CLASS_COLORS: tuple[str, ...] = (
    "#E69F00",  # orange
    "#0072B2",  # blue
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#D55E00",  # vermillion
    "#56B4E9",  # sky blue
    "#B8A800",  # yellow, darkened
    "#332288",
    "#882255",
    "#117733",
    "#999933",
    "#44AA99",
    "#AA4499",
)

ARTIFACT_COLOR = "#8A8A8A"


def class_color(index: int) -> str:
    """Return the `index`-th class colour as `#RRGGBB`; the palette repeats after its end."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]
