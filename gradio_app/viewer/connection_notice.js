// Shows a notice when the page's server does not answer as it should.
//
// The server inlines this script, so that it works even if no other file can be loaded. Every event
// of the page is a request; the script checks how requests are answered and changes nothing.

(() => {
    const EVENT = /\/gradio_api\/queue\/join\b/;
    const RESULTS = /\/gradio_api\/queue\/data\b/; // after it failed, the page sends no events
    const UPLOAD = /\/gradio_api\/upload\b/; // a file may be refused; the page itself says why
    const NO_ANSWER = 'The server of this page does not answer. Check that it is running and that '
        + 'this device is online, then reload the page.';
    const PROXY_HINT = 'If the server runs behind a proxy, check the path and Host settings of both '
        + '(--name and --root-path).';

    let missingScript = ''; // stays until the page is reloaded

    const show = (problem) => {
        const text = missingScript || problem;
        let notice = document.getElementById('unreachable');
        if (!text) {
            notice?.remove();
            document.documentElement.classList.remove('unreachable');
            return;
        }
        if (!notice) {
            notice = document.createElement('p');
            notice.id = 'unreachable';
            notice.setAttribute('role', 'alert');
            // Inline, because the style sheet may be missing, too.
            notice.style.cssText = 'position: sticky; top: 0; z-index: 1000; margin: 0; '
                + 'padding: 12px 16px; background: #b91c1c; color: #fff; font: 16px system-ui';
            document.body.prepend(notice);
        }
        notice.textContent = text;
        document.documentElement.classList.add('unreachable');
    };

    // What is wrong with the answer to an event; empty if nothing is. A full queue answers in JSON.
    const problemOf = (answer) => {
        if (/json/.test(answer.headers.get('content-type') ?? '')) return '';
        return answer.ok
            ? `Another server answers in place of this page’s own. ${PROXY_HINT}`
            : `The server refuses this page’s requests (${answer.status}). ${PROXY_HINT}`;
    };

    const originalFetch = window.fetch;
    window.fetch = async (...request) => {
        const address = String(request[0]?.url ?? request[0]);
        const isEvent = EVENT.test(address);
        const isUpload = UPLOAD.test(address);
        if (!isEvent && !isUpload && !RESULTS.test(address)) return originalFetch(...request);
        try {
            const answer = await originalFetch(...request);
            if (isEvent) show(problemOf(answer));
            if (isUpload) show('');
            return answer;
        } catch (error) {
            if (error.name !== 'AbortError') show(NO_ANSWER);
            throw error;
        }
    };

    // Called by the page when one of its scripts cannot be loaded.
    window.reportMissingScript = () => {
        missingScript = `A part of this page could not be loaded. Reload the page. ${PROXY_HINT}`;
        show(missingScript);
    };
})();
