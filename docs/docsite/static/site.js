// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What the theme and the extension leave out for those who use a keyboard or a screen reader.
addEventListener("load", () => {
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);
  each("pre, .table-wrapper", (wide) => { wide.tabIndex = 0; });
  each(".caption[role=heading]", (caption) => { caption.ariaLevel = "2"; });
  each(".sidebar-drawer", (menu) => { menu.ariaLabel = "Menu"; });
  each("[aria-role]", (link) => { link.removeAttribute("aria-role"); });
});
