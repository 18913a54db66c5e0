"""Make the picture with which the service tests itself: one real face, one drawn car with a drawn licence plate.

The face is NASA's portrait of the astronaut Eileen Collins (public domain, work of the US government), which the
package scikit-image ships as test data. The car is drawn here. Nothing of it is committed to the repository.
"""

import io
import json

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (960, 640)
PORTRAIT_SIDE = 300
PORTRAIT_AT = (60, 150)
#: the face in the 512 pixel portrait
FACE = (176, 62, 274, 190)
CAR = (520, 250, 880, 520)
PLATE = (630, 412, 770, 442)


def _draw_car(canvas: Image.Image) -> None:
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = CAR
    draw.ellipse((left - 20, bottom - 22, right + 20, bottom + 26), fill=(48, 48, 52))
    draw.rounded_rectangle((left + 20, bottom - 70, left + 80, bottom + 12), 12, fill=(22, 22, 24))
    draw.rounded_rectangle((right - 80, bottom - 70, right - 20, bottom + 12), 12, fill=(22, 22, 24))
    roof = [(left + 70, top), (right - 70, top), (right - 20, top + 110), (left + 20, top + 110)]
    draw.polygon(roof, fill=(120, 24, 30))
    glass = [(left + 84, top + 14), (right - 84, top + 14), (right - 48, top + 96), (left + 48, top + 96)]
    draw.polygon(glass, fill=(38, 46, 56))
    draw.rounded_rectangle((left, top + 100, right, bottom - 16), 26, fill=(150, 30, 38))
    draw.rounded_rectangle((left + 6, bottom - 72, right - 6, bottom - 14), 14, fill=(70, 16, 20))
    for x in (left + 10, right - 74):
        draw.rounded_rectangle((x, top + 124, x + 64, top + 156), 8, fill=(226, 60, 40))
    draw.rounded_rectangle((PLATE[0] - 14, PLATE[1] - 10, PLATE[2] + 14, PLATE[3] + 8), 6, fill=(96, 20, 26))


def _draw_plate(canvas: Image.Image) -> None:
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = PLATE
    draw.rounded_rectangle(PLATE, 3, fill=(236, 236, 230), outline=(20, 20, 20), width=2)
    draw.rectangle((left + 2, top + 2, left + 15, bottom - 2), fill=(24, 60, 150))
    font = ImageFont.load_default(size=25)
    draw.text(((left + right) / 2 + 7, (top + bottom) / 2), "AB-123-CD", (16, 16, 16), font, anchor="mm")


def draw_selftest_picture(portrait: bytes) -> tuple[bytes, str]:
    """The picture as JPEG, and JSON {"face": box, "plate": box} with x1, y1, x2, y2 in pixels."""
    canvas = Image.new("RGB", SIZE, (168, 190, 214))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 300, SIZE[0], SIZE[1]), fill=(112, 112, 114))
    draw.rectangle((0, 220, SIZE[0], 306), fill=(150, 140, 124))
    _draw_car(canvas)
    _draw_plate(canvas)
    canvas = canvas.filter(ImageFilter.GaussianBlur(0.7))
    person = Image.open(io.BytesIO(portrait)).convert("RGB").resize((PORTRAIT_SIDE,) * 2, Image.Resampling.LANCZOS)
    canvas.paste(person, PORTRAIT_AT)
    scale = PORTRAIT_SIDE / 512
    face = [round(PORTRAIT_AT[k % 2] + FACE[k] * scale) for k in range(4)]
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=90)
    return out.getvalue(), json.dumps({"face": face, "plate": list(PLATE)})
