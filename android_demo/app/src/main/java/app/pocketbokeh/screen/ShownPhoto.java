package app.pocketbokeh.screen;

import android.content.Context;
import android.graphics.Bitmap;
import app.pocketbokeh.model.Candidate;
import app.pocketbokeh.photo.FullSize;
import app.pocketbokeh.photo.PhotoException;
import app.pocketbokeh.photo.PhotoFile;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A photo on the screen and its rendering. It is replaced as a whole, so that what is saved is always
 * what is shown.
 *
 * @param before the photo, at screen size
 * @param after the rendering at full strength; null until it is rendered
 * @param overlay what the rendering changes in the photo; null until it is rendered
 * @param renderedBy null until it is rendered
 * @param instead why the model that the user chose did not render it; empty if it did
 */
record ShownPhoto(
        PhotoFile file,
        Bitmap before,
        Bitmap after,
        Overlay overlay,
        Candidate renderedBy,
        String instead) {
    /** Pixels of the longest side on the screen; more than a screen has, to zoom in. */
    private static final int PREVIEW_SIDE = 2048;

    /** Decodes a photo for the screen. Deletes the file if it cannot be decoded. */
    static ShownPhoto decode(PhotoFile file) throws PhotoException {
        try {
            Bitmap before = file.decodeUpright(PREVIEW_SIDE);
            return new ShownPhoto(file, before, null, null, null, "");
        } catch (PhotoException | OutOfMemoryError error) {
            file.file().delete();
            throw error;
        }
    }

    /** Renders the photo with the model that the user chose, or the fastest correct one. */
    ShownPhoto rendered(Models models, FullSize.Cancelled cancelled) throws Exception {
        Picture picture = Models.pictureOf(before);
        List<Framed> views = new ArrayList<>();
        Models.Rendered rendered =
                models.render(
                        new int[] {file.uprightHeight(), file.uprightWidth()},
                        model -> {
                            views.clear();
                            views.addAll(Framed.views(picture, model.height(), model.width()));
                            return views.stream()
                                    .map(Framed::networkInput)
                                    .collect(Collectors.toList());
                        },
                        cancelled::isCancelled);
        Overlay found = DetailTransfer.mean(views, rendered.views());
        Bitmap bokeh = before.copy(Bitmap.Config.ARGB_8888, true);
        FullSize.render(bokeh, found, cancelled);
        return new ShownPhoto(file, before, bokeh, found, rendered.by(), rendered.instead());
    }

    /**
     * Writes the rendering at full size.
     *
     * @param strength 0…1
     * @return the size, or null if it was cancelled
     */
    FullSize.Written write(
            Context context, float strength, OutputStream out, FullSize.Cancelled cancelled)
            throws IOException, PhotoException {
        return FullSize.write(context, file, overlay.atStrength(strength), out, cancelled);
    }
}
