# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the module of this name."""

from ansible.plugins.action.normal import ActionModule as Normal

from ..plugin_utils._core.own_module import OwnModule, load


class ActionModule(OwnModule, Normal):
    """Forks for it where nothing else is needed."""

    module = load(__name__)
