// Says in the page when its server does not answer as it should.
//
// The server puts this into the page itself, so that it works where nothing else can be loaded.
// Every event of the page is a request; this looks at how they are answered and changes nothing.

(() => {
    const EVENT = /\/gradio_api\/queue\/join\b/;
    const UPLOAD = /\/gradio_api\/upload\b/; // a file may be refused, and the page says why
    const GONE = 'This page’s server does not answer. Check that it is still running and that this '
        + 'device is still connected, then reload the page.';
    const PROXY = 'If there is a proxy before the server, its path and Host settings are probably '
        + 'not the server’s (see --name and --root-path).';

    let lacking = ''; // what is said until the page is opened anew

    const say = (problem) => {
        const words = lacking || problem;
        let place = document.getElementById('unreachable');
        if (!words) {
            place?.remove();
            document.documentElement.classList.remove('unreachable');
            return;
        }
        if (!place) {
            place = document.createElement('p');
            place.id = 'unreachable';
            place.setAttribute('role', 'alert');
            // The style sheet may be among what could not be loaded.
            place.style.cssText = 'position: sticky; top: 0; z-index: 1000; margin: 0; '
                + 'padding: 12px 16px; background: #b91c1c; color: #fff; font: 16px system-ui';
            document.body.prepend(place);
        }
        place.textContent = words;
        document.documentElement.classList.add('unreachable');
    };

    // What is wrong with an answer to an event, or nothing. A full queue is said in JSON.
    const problem = (answer) => {
        if (/json/.test(answer.headers.get('content-type') ?? '')) return '';
        return answer.ok
            ? `Something else answers in place of this page’s server. ${PROXY}`
            : `This page’s requests are refused (${answer.status}). ${PROXY}`;
    };

    const ask = window.fetch;
    window.fetch = async (...request) => {
        const address = String(request[0]?.url ?? request[0]);
        const isEvent = EVENT.test(address);
        if (!isEvent && !UPLOAD.test(address)) return ask(...request);
        try {
            const answer = await ask(...request);
            say(isEvent ? problem(answer) : '');
            return answer;
        } catch (error) {
            if (error.name !== 'AbortError') say(GONE);
            throw error;
        }
    };

    // For the page's own scripts, when one of them cannot be loaded.
    window.sayThatScriptsAreLacking = () => {
        lacking = `A part of this page could not be loaded. Reload the page. ${PROXY}`;
        say(lacking);
    };
})();
