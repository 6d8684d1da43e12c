package app.pocketbokeh.screen;

import android.app.Activity;
import android.os.Bundle;
import android.view.View;
import android.widget.LinearLayout;
import android.widget.TextView;
import app.pocketbokeh.R;
import app.pocketbokeh.model.Trial;
import java.util.Locale;

/** Shows how each model runs on each accelerator of this phone; the results can be shared. */
public final class ProofActivity extends Activity {
    private static final String RUN = "run";

    private Proof proof;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        setContentView(R.layout.proof);
        EdgeToEdge.apply(this, findViewById(R.id.root));
        findViewById(R.id.run).setOnClickListener(view -> proof.start());
        findViewById(R.id.cancel).setOnClickListener(view -> proof.cancel());
        findViewById(R.id.share).setOnClickListener(view -> proof.share());
        findViewById(R.id.back).setOnClickListener(view -> finish());
        proof = (Proof) getLastNonConfigurationInstance();
        if (proof == null) {
            proof = new Proof(this);
        }
        proof.listen(this::show);
        // A computer starts the proof like this, over adb.
        if (saved == null && getIntent().getBooleanExtra(RUN, false)) {
            proof.start();
        }
        show();
    }

    @Override
    public Object onRetainNonConfigurationInstance() {
        return proof;
    }

    @Override
    protected void onDestroy() {
        super.onDestroy();
        if (isChangingConfigurations()) {
            proof.listen(() -> {});
        } else {
            proof.close();
        }
    }

    private void show() {
        boolean busy = proof.isBusy();
        boolean some = !proof.trials().isEmpty();
        setVisible(R.id.run, !busy);
        setVisible(R.id.working, busy);
        findViewById(R.id.share).setEnabled(some && !busy);
        this.<TextView>findViewById(R.id.progress_text).setText(proof.progress());
        LinearLayout list = findViewById(R.id.trials);
        for (int index = list.getChildCount(); index < proof.trials().size(); index++) {
            list.addView(row(list, proof.trials().get(index)));
        }
        if (!some) {
            list.removeAllViews();
        }
        if (proof.takeShared()) {
            startActivity(Sharing.chooser(this, proof.uri(), "application/json"));
        }
    }

    private void setVisible(int id, boolean visible) {
        findViewById(id).setVisibility(visible ? View.VISIBLE : View.GONE);
    }

    private View row(LinearLayout list, Trial trial) {
        View row = getLayoutInflater().inflate(R.layout.trial, list, false);
        String size =
                String.format(
                        Locale.ROOT, "%d×%d", trial.model().width(), trial.model().height());
        row.<TextView>findViewById(R.id.name)
                .setText(
                        getString(
                                R.string.trial,
                                trial.model().recipe(),
                                trial.accelerator().name(),
                                size));
        TextView time = row.findViewById(R.id.time);
        TextView verdict = row.findViewById(R.id.verdict);
        if (trial.isCorrect()) {
            time.setText(getString(R.string.milliseconds, trial.milliseconds()));
        } else {
            time.setText(R.string.no_time);
        }
        verdict.setText(verdict(trial));
        return row;
    }

    private String verdict(Trial trial) {
        if (!trial.isCorrect() && !trial.isWrong()) {
            return trial.reason();
        }
        return getString(
                trial.isWrong() ? R.string.wrong_difference : R.string.difference,
                trial.difference().largestStep(),
                trial.difference().psnr());
    }
}
