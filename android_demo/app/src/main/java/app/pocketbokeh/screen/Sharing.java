package app.pocketbokeh.screen;

import android.content.ClipData;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import app.pocketbokeh.R;

/** Offers one of this app's files to an app that the user chooses. */
final class Sharing {
    private Sharing() {}

    static Intent chooser(Context context, Uri uri, String type) {
        Intent send = new Intent(Intent.ACTION_SEND).setType(type);
        send.putExtra(Intent.EXTRA_STREAM, uri);
        send.setClipData(ClipData.newRawUri("", uri));
        send.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
        return Intent.createChooser(send, context.getString(R.string.share));
    }
}
