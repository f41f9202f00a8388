"""Words of the course's pages."""

from django import template

register = template.Library()


@register.filter
def duration(seconds: int) -> str:
    """40초, 12분, 3시간 5분."""
    if seconds < 60:
        return f"{seconds}초"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}시간 {minutes}분" if hours and minutes else f"{hours}시간" if hours else f"{minutes}분"
