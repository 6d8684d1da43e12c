package app.pocketbokeh.screen;

import android.content.res.Resources;

/**
 * A text for the screen, translated when it is shown.
 *
 * @param id a string resource; 0 for none
 */
record StatusText(int id, Object... arguments) {
    static final StatusText NONE = new StatusText(0);

    String in(Resources resources) {
        return id == 0 ? "" : resources.getString(id, arguments);
    }
}
