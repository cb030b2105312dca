// The settings sheet: opens, closes, and gives the focus back to where it was.

import { byId } from "./dom.js";

export class SettingsSheet {
  // `opened()`: fill it with what holds now.
  constructor({ opened }) {
    this.sheet = byId("settings-sheet");
    this.button = byId("settings");
    this.button.addEventListener("click", () => {
      this.sheet.showModal();
      opened();
    });
    byId("settings-close").addEventListener("click", () => this.sheet.close());
    // The sheet's content covers the dialog: what is pressed beside it is the rest of the page.
    this.sheet.addEventListener("pointerdown", ({ target }) => {
      if (target === this.sheet) this.sheet.close();
    });
    this.sheet.addEventListener("close", () => this.button.focus({ preventScroll: true }));
  }
}
