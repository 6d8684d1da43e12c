package app.pocketbokeh.screen;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.net.Uri;
import android.os.Build;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.View;
import android.widget.GridLayout;
import android.widget.SeekBar;
import android.widget.TextView;
import app.pocketbokeh.R;
import app.pocketbokeh.model.Candidate;
import app.pocketbokeh.photo.Gallery;
import app.pocketbokeh.photo.SharedFiles;
import app.pocketbokeh.picture.FocusPoint;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/**
 * The app's main screen. The user chooses or takes a photo, or another app shares one to it; the
 * screen shows it with and without bokeh, saves it and shares it.
 */
public final class MainActivity extends Activity {
    private static final int PICK = 1;
    private static final int TAKE = 2;
    private static final int SAVE_TO = 3;
    private static final String CAPTURED = "captured";
    private static final String PHOTOS = "photos";
    private static final String STRENGTH = "strength";
    private static final String FOCUS = "focus";
    private static final float LARGE_FONT = 1.3f;

    private Session session;
    private CompareView compare;
    private AlertDialog dialog;

    /** Name of the file that the camera app writes to. */
    private String captured;

    /** Whether the screen is in front; only then may it open another app. */
    private boolean inFront;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        setContentView(R.layout.main);
        compare = findViewById(R.id.compare);
        EdgeToEdge.apply(this, findViewById(R.id.root));
        this.<CompareView>findViewById(R.id.example)
                .show(picture(R.drawable.example_original), picture(R.drawable.example_bokeh), 1);
        if (getResources().getConfiguration().fontScale >= LARGE_FONT) {
            this.<GridLayout>findViewById(R.id.actions).setColumnCount(2);
        }
        onClick(R.id.choose, this::choose);
        onClick(R.id.choose_first, this::choose);
        onClick(R.id.take, this::take);
        onClick(R.id.take_first, this::take);
        onClick(R.id.save, this::save);
        onClick(R.id.share, () -> session.share(name()));
        onClick(R.id.cancel, () -> session.cancel());
        onClick(R.id.focus_automatic, () -> session.focusOn(null));
        onClick(R.id.model, () -> session.candidates(this::chooseModel));
        onClick(R.id.proof, () -> startActivity(new Intent(this, ProofActivity.class)));
        this.<SeekBar>findViewById(R.id.strength).setOnSeekBarChangeListener(new StrengthChange());
        restoreSession(saved);
    }

    private Bitmap picture(int id) {
        return BitmapFactory.decodeResource(getResources(), id);
    }

    private void onClick(int id, Runnable action) {
        findViewById(id).setOnClickListener(view -> action.run());
    }

    /** Restores the session after a rotation or after the process ended, or starts a new one. */
    private void restoreSession(Bundle saved) {
        session = (Session) getLastNonConfigurationInstance();
        if (saved != null) {
            captured = saved.getString(CAPTURED);
        }
        if (session == null) {
            session = new Session(this, saved == null ? null : saved.getString(PHOTOS));
            if (saved != null) {
                session.setStrength(saved.getFloat(STRENGTH, 1));
                session.reopen(focus(saved.getFloatArray(FOCUS)));
            }
        }
        session.listen(this::show);
        if (saved == null) {
            openShared(getIntent());
        }
        show();
    }

    private static FocusPoint focus(float[] point) {
        return point == null ? null : new FocusPoint(point[0], point[1]);
    }

    @Override
    protected void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        openShared(intent);
    }

    // The replacement needs Android 13.
    @SuppressWarnings("deprecation")
    private void openShared(Intent intent) {
        if (Intent.ACTION_SEND.equals(intent.getAction())) {
            Uri uri = intent.getParcelableExtra(Intent.EXTRA_STREAM);
            if (uri != null) {
                session.open(uri);
            }
        }
    }

    @Override
    protected void onResume() {
        super.onResume();
        inFront = true;
        session.replaceWrong();
        share(session.takeToShare());
    }

    @Override
    protected void onPause() {
        super.onPause();
        inFront = false;
    }

    @Override
    public Object onRetainNonConfigurationInstance() {
        return session;
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putString(CAPTURED, captured);
        state.putString(PHOTOS, session.photos());
        state.putFloat(STRENGTH, session.strength());
        FocusPoint focus = session.focus();
        if (focus != null) {
            state.putFloatArray(FOCUS, new float[] {focus.x(), focus.y()});
        }
    }

    @Override
    protected void onDestroy() {
        super.onDestroy();
        if (dialog != null) {
            dialog.dismiss();
        }
        if (isChangingConfigurations()) {
            session.listen(() -> {});
        } else {
            session.close(isFinishing());
        }
    }

    private void choose() {
        boolean picker = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU;
        Intent intent =
                picker
                        ? new Intent(MediaStore.ACTION_PICK_IMAGES)
                        : new Intent(Intent.ACTION_GET_CONTENT)
                                .addCategory(Intent.CATEGORY_OPENABLE);
        ask(intent.setType("image/*"), PICK, R.string.no_picker);
    }

    private void take() {
        SharedFiles.removeOld(this);
        captured = "captured_" + UUID.randomUUID() + ".jpg";
        Uri uri = SharedFiles.uri(captured);
        Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE);
        intent.putExtra(MediaStore.EXTRA_OUTPUT, uri);
        // Access is granted to the URIs in the clip data, not to those in extras.
        intent.setClipData(ClipData.newRawUri("", uri));
        intent.addFlags(
                Intent.FLAG_GRANT_WRITE_URI_PERMISSION | Intent.FLAG_GRANT_READ_URI_PERMISSION);
        ask(intent, TAKE, R.string.no_camera);
    }

    private void save() {
        if (Gallery.isOpen()) {
            session.save(name());
            return;
        }
        Intent intent = new Intent(Intent.ACTION_CREATE_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE).setType("image/jpeg");
        ask(intent.putExtra(Intent.EXTRA_TITLE, name()), SAVE_TO, R.string.no_picker);
    }

    private void ask(Intent intent, int request, int otherwise) {
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException | SecurityException error) {
            session.say(new StatusText(otherwise));
        }
    }

    private static String name() {
        String date = new SimpleDateFormat("yyyyMMdd_HHmmss", Locale.ROOT).format(new Date());
        return "bokeh_" + date + ".jpg";
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (result != RESULT_OK) {
            return;
        }
        Uri uri = data == null ? null : data.getData();
        if (request == TAKE && captured != null) {
            session.openCaptured(SharedFiles.file(this, captured));
        } else if (request == PICK && uri != null) {
            session.open(uri);
        } else if (request == SAVE_TO && uri != null) {
            session.saveTo(uri);
        }
    }

    private void chooseModel(List<Candidate> candidates) {
        if (isDestroyed()) {
            return;
        }
        CharSequence[] names = new CharSequence[candidates.size() + 1];
        names[0] = getString(R.string.automatic);
        for (int index = 0; index < candidates.size(); index++) {
            names[index + 1] = name(candidates.get(index));
        }
        int chosen = candidates.indexOf(session.chosen()) + 1;
        dialog =
                new AlertDialog.Builder(this)
                        .setTitle(R.string.model)
                        .setSingleChoiceItems(
                                names,
                                chosen,
                                (shown, which) -> {
                                    shown.dismiss();
                                    session.choose(which == 0 ? null : candidates.get(which - 1));
                                })
                        .show();
    }

    private String name(Candidate candidate) {
        return getString(R.string.on, candidate.recipe(), candidate.accelerator().name());
    }

    /** Shows the state of the session. */
    private void show() {
        boolean busy = session.isBusy();
        boolean rendered = session.isRendered();
        compare.show(session.before(), session.after(), session.strength());
        showFocus();
        setVisible(R.id.empty, !session.hasPhoto());
        setVisible(R.id.compare, session.hasPhoto());
        setVisible(R.id.panel, session.hasPhoto());
        setVisible(R.id.working, busy);
        for (int id : new int[] {R.id.strength, R.id.save, R.id.share}) {
            findViewById(id).setEnabled(rendered && !busy);
        }
        this.<SeekBar>findViewById(R.id.strength)
                .setProgress(Math.round(100 * session.strength()));
        String message = session.message().in(getResources());
        this.<TextView>findViewById(R.id.progress_text).setText(busy ? message : "");
        String told = busy ? "" : message;
        if (told.isEmpty() && session.renderedBy() != null) {
            told = getString(R.string.rendered_by, name(session.renderedBy()));
        }
        TextView status = findViewById(session.hasPhoto() ? R.id.status : R.id.first_status);
        status.setText(told);
        if (inFront) {
            share(session.takeToShare());
        }
    }

    private void showFocus() {
        FocusPoint focus = session.focus();
        boolean takesFocus = session.takesFocus();
        compare.showFocus(takesFocus ? focus : null, takesFocus ? session::focusOn : null);
        compare.setContentDescription(
                getText(takesFocus ? R.string.compare_and_focus : R.string.compare));
        setVisible(R.id.focus, takesFocus);
        setVisible(R.id.focus_automatic, focus != null);
        this.<TextView>findViewById(R.id.focus_text)
                .setText(focus == null ? R.string.focus_hint : R.string.focused);
    }

    private void setVisible(int id, boolean visible) {
        findViewById(id).setVisibility(visible ? View.VISIBLE : View.GONE);
    }

    private void share(Uri uri) {
        if (uri != null) {
            startActivity(Sharing.chooser(this, uri, "image/jpeg"));
        }
    }

    private final class StrengthChange implements SeekBar.OnSeekBarChangeListener {
        @Override
        public void onProgressChanged(SeekBar bar, int progress, boolean fromUser) {
            if (fromUser) {
                session.setStrength(progress / 100f);
                compare.show(session.before(), session.after(), session.strength());
            }
        }

        @Override
        public void onStartTrackingTouch(SeekBar bar) {}

        @Override
        public void onStopTrackingTouch(SeekBar bar) {}
    }
}
