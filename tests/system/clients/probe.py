"""As somebody who is about to begin at a beamline: prints why each file of the arguments is refused, or nothing.

A name after ``imaging:`` is asked for pictures only, as by an alignment.
"""

import json
import sys
from pathlib import Path

from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.errors import RequestError

said = []
for name in sys.argv[1:]:
    imaging_only = name.startswith("imaging:")
    try:
        refuse_incomplete_beamline(Path(name.removeprefix("imaging:")), sample_out_mm=12.0, imaging_only=imaging_only)
        said.append("")
    except RequestError as error:
        said.append(str(error))
print(json.dumps(said))
