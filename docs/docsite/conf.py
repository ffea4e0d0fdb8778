# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's configuration of the site that ``make docs-site`` builds."""

from __future__ import annotations

import re
import typing as t

from docutils import nodes

project = "enbuild.eks"
author = "The enbuild.eks contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_title = "enbuild.eks"
html_copy_source = False
html_show_sphinx = False
# Of Pygments' styles, those whose colours have the contrast of WCAG AA.
pygments_style = "default"
pygments_dark_style = "github-dark"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
highlight_language = "yaml+jinja"
myst_heading_anchors = 3
exclude_patterns = ["plugins/environment_variables.rst"]
default_role = "any"

OTHERS = re.compile(r"ansible_collections\.(\w+)\.(\w+)\.(\w+)_(module|lookup|filter|inventory|strategy)$")
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"

LABELS = {
    "action_plugins": "plugins/action.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def setup(app: t.Any) -> None:
    """Let references to Ansible's own documentation lead there, without asking the network for its index."""
    app.connect("missing-reference", _of_ansible)


def _of_ansible(_app: t.Any, _env: t.Any, node: t.Any, content: t.Any) -> nodes.reference | None:
    label = node.get("reftarget", "")
    found = OTHERS.match(label)
    if found and (found[1], found[2]) != ("enbuild", "eks"):
        page = f"collections/{found[1]}/{found[2]}/{found[3]}_{found[4]}.html"
    elif label in LABELS:
        page = LABELS[label]
    else:
        return None
    return nodes.reference("", "", content.deepcopy(), refuri=f"{ANSIBLE}/{page}", internal=False)
